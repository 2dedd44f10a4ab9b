export { ANSWER_FORMATS, type KeywordOptions, keywords } from './keywords.js';
export { STOP_WORDS } from './stop-words.js';
