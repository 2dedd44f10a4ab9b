// The English words that carry no visual meaning, as the official implementation lists them. Data only.

/** Stop-words of the MMTok implementation for LLaVA (all lower case). "in", "of", "this", "image" and "there" stay. */
export const STOP_WORDS: ReadonlySet<string> = new Set(
  (
    'a an the is are was were be been being have has had do does did it they he she we you i ' +
    'what where when why how who which and or but so if then question answer ' +
    'to for with by from at into onto upon'
  ).split(' '),
);
