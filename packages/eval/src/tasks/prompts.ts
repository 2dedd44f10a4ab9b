// The sentences and the list of options that several benchmarks share, as lmms-eval words them for LLaVA and Qwen.

/** Asks for a short answer. MMTok leaves this very sentence out of the question's keywords. */
export const SINGLE_WORD = '\nAnswer the question using a single word or phrase.';

/** Asks for an option's letter. MMTok leaves this very sentence out of the question's keywords. */
export const OPTION_LETTER = "\nAnswer with the option's letter from the given choices directly.";

/** The letter of the option at `index`: A, B, C, … */
export function letterOf(index: number): string {
  return String.fromCharCode(65 + index);
}

/** One line per option: `A. first`. */
export function optionLines(options: readonly string[]): string {
  return options.map((option, index) => `${letterOf(index)}. ${option}`).join('\n');
}
