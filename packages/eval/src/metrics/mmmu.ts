// MMMU's accuracy, overall and per official domain. Not the reading of answers: see mmmu-choice.ts and mmmu-open.ts.
// Source: https://mmmu-benchmark.github.io/

import { mean } from './mean.js';

/** The six official domains and their thirty subjects. */
export const MMMU_DOMAINS: Readonly<Record<string, readonly string[]>> = {
  'Art and Design': ['Art', 'Art_Theory', 'Design', 'Music'],
  Business: ['Accounting', 'Economics', 'Finance', 'Manage', 'Marketing'],
  Science: ['Biology', 'Chemistry', 'Geography', 'Math', 'Physics'],
  'Health and Medicine': [
    'Basic_Medical_Science',
    'Clinical_Medicine',
    'Diagnostics_and_Laboratory_Medicine',
    'Pharmacy',
    'Public_Health',
  ],
  'Humanities and Social Science': ['History', 'Literature', 'Psychology', 'Sociology'],
  'Tech and Engineering': [
    'Agriculture',
    'Architecture_and_Engineering',
    'Computer_Science',
    'Electronics',
    'Energy_and_Power',
    'Materials',
    'Mechanical_Engineering',
  ],
};

/** One scored answer. */
export interface MmmuAnswer {
  readonly value: number;
  readonly subject: string;
}

/** The subject in an id such as `validation_Art_Theory_12`. */
export function mmmuSubject(id: string): string {
  return id.split('_').slice(1, -1).join('_');
}

function accuracy(answers: readonly MmmuAnswer[]): number {
  return Number(mean(answers.map((answer) => answer.value)).toFixed(5));
}

/** Right answers over all answers, rounded to five decimals; `domains` holds those that occur. */
export function mmmuScores(answers: readonly MmmuAnswer[]): {
  readonly accuracy: number;
  readonly domains: Readonly<Record<string, number>>;
} {
  const domains = Object.entries(MMMU_DOMAINS)
    .map(([name, subjects]) => [name, answers.filter(({ subject }) => subjects.includes(subject))] as const)
    .filter(([, group]) => group.length > 0)
    .map(([name, group]) => [name, accuracy(group)] as const);
  return { accuracy: accuracy(answers), domains: Object.fromEntries(domains) };
}
