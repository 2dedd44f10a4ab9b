// The metrics of @mmtok/eval: pure functions from texts to scores, one file each.

export { anls } from './anls.js';
export { containsAnswer, sameAnswer, sameNumber } from './answer-match.js';
export { exactMatch } from './exact-match.js';
export { mcqExtract } from './mcq-extract.js';
export {
  type MmbenchAnswer,
  type MmbenchOptions,
  type MmbenchScores,
  mmbenchAnswer,
  mmbenchOption,
  mmbenchOptionText,
  mmbenchQuestion,
  mmbenchRuleAnswer,
  mmbenchScores,
} from './mmbench.js';
export {
  MME_COGNITION,
  MME_PERCEPTION,
  type MmeAnswer,
  type MmeScores,
  mmeAnswer,
  mmeScores,
} from './mme.js';
export { MMMU_DOMAINS, type MmmuAnswer, mmmuScores, mmmuSubject } from './mmmu.js';
export { mmmuChoice } from './mmmu-choice.js';
export { type MmmuReading, mmmuOpenMatch, mmmuOpenReadings } from './mmmu-open.js';
export { type MmstarAnswer, type MmstarScores, mmstarMatch, mmstarScores } from './mmstar.js';
export { ocrBenchMatch } from './ocrbench.js';
export { type PopeMetrics, type PopePair, popeAnswer, popeMetrics } from './pope.js';
export { PROFILES, type Profile } from './profile.js';
export { relaxedMatch } from './relaxed-accuracy.js';
export { meanRetention } from './retention.js';
export { scienceQaMatch } from './scienceqa.js';
export { seedBenchAnswer, seedBenchMatch } from './seedbench.js';
export { softAccuracy, type VqaScore, vqaAccuracy, vqav2Accuracy } from './vqa-accuracy.js';
export { normalizeVqa, normalizeVqav2, vqaDigitArticle, vqaPunctuation } from './vqa-normalize.js';
