// The contraction table of the VQA evaluation: what "dont" is rewritten to. Data only, written as the rules it follows;
// words that would collide with others (its, well, were, …) are left out there on purpose.
// Source: https://github.com/GT-Vision-Lab/VQA/blob/master/PythonEvaluationTools/vqaEvaluation/vqaEval.py

// The key is the value without its apostrophe: dont → don't.
const ONE_APOSTROPHE =
  "ain't aren't can't could've couldn't didn't doesn't don't hadn't hasn't haven't he'd he's how'd how'll how's I'm " +
  "I've isn't it'd it'll ma'am mightn't might've mustn't must've needn't not've o'clock oughtn't shan't should've " +
  "shouldn't somebody'll somebody's someone'd someone'll someone's something'd something'll that's there'd there're " +
  "there's they'd they'll they're they've 'twas wasn't we've weren't what'll what're what's what've when's where'd " +
  "where's where've who'd who'll who's who've why'll why're why's won't would've wouldn't y'all you'd you'll you're " +
  "you've";

// Two keys each, lacking the first or the second apostrophe: couldnt've, couldn'tve → couldn't've.
const TWO_APOSTROPHES =
  "couldn't've hadn't've he'd've I'd've it'd've mightn't've she'd've shouldn't've somebody'd've someone'd've " +
  "something'd've there'd've they'd've we'd've who'd've wouldn't've y'all'll you'd've";

const IRREGULAR: readonly (readonly [key: string, value: string])[] = [
  ["ow's'at", "'ow's'at"],
  ["'ows'at", "'ow's'at"],
  ["'ow'sat", "'ow's'at"],
  ["somebody'd", 'somebodyd'],
  ["yall'd've", "y'all'd've"],
  ["y'alld've", "y'all'd've"],
  ["y'all'dve", "y'all'd've"],
  ["let's", "let's"],
  ["she's", "she's"],
];

function twoKeys(value: string): [string, string][] {
  const last = value.lastIndexOf("'");
  return [
    [value.replace("'", ''), value],
    [value.slice(0, last) + value.slice(last + 1), value],
  ];
}

/** From the word as written to the word with its apostrophes; 120 entries. */
export const CONTRACTIONS: ReadonlyMap<string, string> = new Map([
  ...ONE_APOSTROPHE.split(' ').map((value): [string, string] => [value.replace("'", ''), value]),
  ...TWO_APOSTROPHES.split(' ').flatMap(twoKeys),
  ...IRREGULAR,
]);
