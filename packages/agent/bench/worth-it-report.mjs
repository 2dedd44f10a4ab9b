// The tables of worth-it.mjs as Markdown.

import { availableParallelism } from 'node:os';
import { questionKinds } from '@mmtok/tiny-vlm';

const share = (all, holds) => (100 * all.filter(holds).length) / all.length;
const percent = (number) => number.toFixed(1);
const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];

function table(head, rows) {
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column].length)));
  const line = (row) =>
    `| ${row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column]))).join(' | ')} |`;
  const rule = widths.map((width, column) =>
    column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`,
  );
  return [head, rule, ...rows].map(line).join('\n');
}

/**
 * The whole report.
 * @param options.records the results for each question.
 * @param options.agent the agent's model.
 */
export function formatReport({ records, budgets, threshold, agent }) {
  const labels = {
    none: 'the question alone',
    oracle: 'oracle',
    agent: `the model \`${agent}\``,
    wrong: 'always wrong',
    autoOracle: 'oracle, `auto`',
    autoAgent: `the model \`${agent}\`, \`auto\``,
  };
  const tokens = budgets.map((budget) => `${budget} tokens`);
  const rightIn = (all, name, b) => percent(share(all, ({ right }) => right[name][b]));

  const accuracy = table(
    ['agent', ...tokens],
    Object.entries(labels).map(([name, label]) => [
      label,
      ...budgets.map((_, b) => rightIn(records, name, b)),
    ]),
  );

  /** Questions answered only with the agent, and only without. */
  const changes = table(
    ['agent', ...tokens],
    ['oracle', 'agent', 'wrong'].map((name) => [
      labels[name],
      ...budgets.map((_, b) => {
        const won = records.filter(({ right }) => right[name][b] && !right.none[b]).length;
        const lost = records.filter(({ right }) => !right[name][b] && right.none[b]).length;
        return `+${won} −${lost}`;
      }),
    ]),
  );

  const byKind = table(
    ['kind', 'agent right', 'asked by `auto`', ...tokens, 'all'],
    questionKinds.flatMap((kind) => {
      const own = records.filter((record) => record.kind === kind);
      if (own.length === 0) return [];
      return [
        [
          kind,
          percent(share(own, ({ isAgentRight }) => isAgentRight)),
          percent(share(own, ({ isVague }) => isVague)),
          ...budgets.map((_, b) =>
            ['none', 'oracle', 'agent'].map((name) => rightIn(own, name, b)).join(' / '),
          ),
          rightIn(own, 'all', 0),
        ],
      ];
    }),
  );

  const same = (value) => budgets.map(() => percent(value));
  const costs = table(
    ['', ...tokens],
    [
      ['preparing the image, ms', ...same(median(records.map(({ prepareMs }) => prepareMs)))],
      ['encoding it, ms', ...same(median(records.flatMap(({ encodeMs }) => encodeMs ?? [])))],
      [
        'selection and language model, ms',
        ...budgets.map((_, b) => percent(median(records.map(({ prunedMs }) => prunedMs[b])))),
      ],
      ['agent, ms', ...same(median(records.map(({ agentMs }) => agentMs)))],
    ],
  );

  const asked = percent(share(records, ({ isVague }) => isVague));
  const agentAlone = percent(share(records, ({ isAgentRight }) => isAgentRight));
  return `${records.length} questions, ${new Date().toISOString().slice(0, 10)}, Node ${process.versions.node}, ${availableParallelism()} CPU cores.

Correct answers in percent:

${accuracy}

\`auto\` (threshold ${threshold}) asked about ${asked} % of the questions. With all its tokens the model answers ${rightIn(records, 'all', 0)} % correctly;
the agent's own answer is right for ${agentAlone} %.

Questions won and lost against the question alone:

${changes}

By kind, in percent; the columns of tokens are "question alone / oracle / the model \`${agent}\`":

${byKind}

Medians of time; the agent's is whole, with the preparation of its picture:

${costs}
`;
}
