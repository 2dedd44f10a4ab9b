// The metrics of @mmtok/eval: pure functions from texts to scores, grouped by kind of answer.

export { meanRetention } from '../stats/statistics.js';
export { PROFILES, type Profile } from './harness.js';
export {
  MMMU_DOMAINS,
  type MmmuAnswer,
  type MmmuReading,
  mmmuChoice,
  mmmuOpenMatch,
  mmmuOpenReadings,
  mmmuScores,
  mmmuSubject,
} from './mmmu.js';
export {
  type MmbenchAnswer,
  type MmbenchOptions,
  type MmbenchScores,
  type MmstarAnswer,
  type MmstarScores,
  mcqExtract,
  mmbenchAnswer,
  mmbenchOption,
  mmbenchOptionText,
  mmbenchQuestion,
  mmbenchRuleAnswer,
  mmbenchScores,
  mmstarMatch,
  mmstarScores,
  scienceQaMatch,
  seedBenchAnswer,
  seedBenchMatch,
} from './multiple-choice.js';
export {
  anls,
  containsAnswer,
  exactMatch,
  ocrBenchMatch,
  relaxedMatch,
  sameAnswer,
  sameNumber,
} from './short-answers.js';
export {
  normalizeVqa,
  normalizeVqav2,
  softAccuracy,
  type VqaScore,
  vqaAccuracy,
  vqaDigitArticle,
  vqaPunctuation,
  vqav2Accuracy,
} from './vqa.js';
export {
  MME_COGNITION,
  MME_PERCEPTION,
  type MmeAnswer,
  type MmeScores,
  mmeAnswer,
  mmeScores,
  type PopeMetrics,
  type PopePair,
  popeAnswer,
  popeMetrics,
} from './yes-no.js';
