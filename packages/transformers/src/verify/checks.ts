// Turns the findings for the images into checks: what passes, what does not, and by how much.

import { messageOf, sum } from '@mmtok/core/internal';
import { withSessions } from '../internal/session.js';
import { tapOf } from '../internal/tapped-sessions.js';
import { toFloat32 } from '../internal/tensors.js';
import { type VisionRows, visionRows } from '../select/features.js';
import { relativeDifference, rowAgreement } from './compare.js';
import { changedCopies, type VerifyImage } from './images.js';
import type { CheckName, CheckStatus, VerifyCheck } from './report.js';
import type { Subject } from './subject.js';
import type { ImageResult } from './verify-image.js';

/** Relative differences up to the first value come from 32-bit rounding; up to the second one, from 16-bit rounding. */
const ROUNDING = 1e-4;
const HALF_ROUNDING = 2e-2;
/** Steps over a cache may differ by this much if activations are quantized dynamically. */
const QUANTIZED_STEP = 1e-1;

/**
 * A projector works row by row, so the change of its rows correlates with the change of their features: the correlation was
 * above 0.95 on every model tested, and 0.6 when the order was partly wrong.
 */
const SAME_ROWS = 0.8;
const OTHER_ROWS = 0.65;
/** Fewer kept tokens than this may match by chance. */
const TOO_FEW = 3;

type Facts = VerifyCheck['facts'];

function check(name: CheckName, status: CheckStatus, detail: string, facts: Facts = {}): VerifyCheck {
  return { name, status, detail, facts };
}

/** The results of all checks, in report order. */
export async function checksOf(
  subject: Subject,
  results: readonly ImageResult[],
  { example, tapProblem }: { readonly example: VerifyImage; readonly tapProblem: string | undefined },
): Promise<VerifyCheck[]> {
  return [
    keepAll(results),
    shortenedPrompt(results),
    await tap(subject, results, example, tapProblem),
    await tapOutput(subject, results),
    text(results),
    baselines(results),
  ];
}

const inDigits = (difference: number): string => (difference === 0 ? '0' : difference.toExponential(1));

const names = (results: readonly ImageResult[]): string =>
  results.map(({ image }) => `'${image.name}'`).join(', ');

function keepAll(results: readonly ImageResult[]): VerifyCheck {
  const relative = Math.max(...results.map(({ keepAll: one }) => one.feeds.relative));
  const differing = results.filter(({ keepAll: one }) => !one.sameTokens);
  const facts = {
    images: results.length,
    sameAnswers: results.length - differing.length,
    largestDifference: relative,
    compared: results[0]?.keepAll.feeds.compared.join(', ') ?? '',
  };
  const untouched = results.filter(({ keepAll: one }) => !one.wasRewritten);
  if (untouched.length > 0) {
    const detail = `${names(untouched)}: the prompt was not rewritten, so this check proves nothing`;
    return check('keepAll', 'fail', detail, facts);
  }
  const worst = results.reduce((a, b) => (b.keepAll.feeds.relative > a.keepAll.feeds.relative ? b : a));
  const fed =
    relative === 0
      ? 'the language model receives the same numbers'
      : `the input ${worst.keepAll.feeds.input} differs by ${inDigits(relative)} of its largest value`;
  if (differing.length === 0) {
    const status = relative <= ROUNDING ? 'pass' : 'warn';
    return check('keepAll', status, `all ${results.length} answers are the same, and ${fed}`, facts);
  }
  const [first] = differing as [ImageResult];
  const detail = `${names(differing)}: the answer differs from token ${first.keepAll.firstDifference + 1} on, and ${fed}`;
  return check('keepAll', relative === 0 ? 'warn' : 'fail', detail, facts);
}

function shortenedPrompt(results: readonly ImageResult[]): VerifyCheck {
  const tokens = results.reduce((sum, { shortened }) => sum + shortened.tokens, 0);
  const agreed = results.reduce((sum, { shortened }) => sum + shortened.agreed, 0);
  const promptDifference = Math.max(...results.map(({ shortened }) => shortened.promptDifference));
  const stepDifference = Math.max(...results.map(({ shortened }) => shortened.stepDifference));
  const facts = { tokens, agreed, promptDifference, stepDifference };
  const positions = results[0]?.report.positions === 'preserve' ? 'kept' : 'contiguous';
  const isWrong = promptDifference > HALF_ROUNDING || stepDifference > QUANTIZED_STEP;
  const isDoubtful = promptDifference > ROUNDING || stepDifference > HALF_ROUNDING || agreed < tokens;
  const choice =
    agreed === tokens
      ? `all ${tokens} tokens match the unmodified library on the shortened prompts (positions ${positions})`
      : `${tokens - agreed} of ${tokens} tokens differ from the unmodified library on the shortened prompts (${names(results.filter(({ shortened }) => shortened.agreed < shortened.tokens))})`;
  const numbers = `logits differ by ${inDigits(promptDifference)} after the prompt and by ${inDigits(stepDifference)} in later steps`;
  return check(
    'shortenedPrompt',
    isWrong ? 'fail' : isDoubtful ? 'warn' : 'pass',
    `${choice}; ${numbers}`,
    facts,
  );
}

async function tap(
  subject: Subject,
  results: readonly ImageResult[],
  example: VerifyImage,
  problem: string | undefined,
): Promise<VerifyCheck> {
  const { model, family } = subject;
  const known = tapOf(model.sessions[family.adapter.encoder]);
  const { report } = results[0] as ImageResult;
  const encoded = await family.adapter.encode(model, await subject.inputs(example.image, example.question));
  if (visionRows(encoded, 'auto', undefined, true).source === 'projected') {
    if (family.tap === 'none') {
      return check('tap', 'skipped', 'this family has no projector, so projected features are used');
    }
    const why = problem ?? report.notes.join('; ');
    const detail = `no features from before the projector${why === '' ? '' : ` (${why})`}; projected features are used`;
    return check('tap', 'warn', detail);
  }
  const rows: VisionRows[] = [];
  for (const image of [example.image, ...changedCopies(example.image)]) {
    const inputs = await subject.inputs(image, example.question);
    rows.push(visionRows(await family.adapter.encode(model, inputs), 'preProjector', undefined));
  }
  const [{ features, projected }] = rows as [VisionRows];
  const { grid } = report.images[0]?.tiles.length === 1 ? (report.images[0]?.tiles[0] ?? {}) : {};
  const agreement = rowAgreement(
    rows.map((one) => one.features),
    rows.map((one) => one.projected),
    grid?.[1],
  );
  const facts = {
    tensor: known?.features ?? '',
    width: features.dims[1] as number,
    projectedWidth: projected.dims[1] as number,
    isTransposed: known?.transposed === true,
    isReordered: known?.order !== undefined,
    ...agreement,
  };
  const name = known === undefined ? "the encoder's own output" : `'${known.features}'`;
  const found = `${name}, ${facts.width} wide`;
  if (agreement === undefined) {
    return check('tap', 'warn', `${found}; the vision tokens are too similar to match rows to tokens`, facts);
  }
  const { aligned, otherwise } = agreement;
  if (aligned < SAME_ROWS || aligned <= otherwise) {
    const isOther = aligned < OTHER_ROWS || aligned <= otherwise;
    const numbers = `correlation ${aligned.toFixed(2)}, in another order ${otherwise.toFixed(2)}`;
    const detail = `${found}; its rows ${isOther ? 'do not' : 'may not'} correspond to the vision tokens (${numbers}): set tap: { tensor } to the right tensor, or set visionFeatures: 'projected'`;
    return check('tap', isOther ? 'fail' : 'warn', detail, facts);
  }
  return check('tap', 'pass', `${found}, one row per vision token, in the same order`, facts);
}

/** Whether the encoder gives the same output with and without the added output. */
async function tapOutput({ model, family }: Subject, [result]: readonly ImageResult[]): Promise<VerifyCheck> {
  const { encoder } = family.adapter;
  const known = tapOf(model.sessions[encoder]);
  if (known === undefined) return check('tapOutput', 'skipped', 'the encoder was not modified');
  if (known.reopen === undefined) {
    return check(
      'tapOutput',
      'skipped',
      'the encoder was tapped from bytes, so there is no original to compare with',
    );
  }
  const { inputs } = result as ImageResult;
  try {
    const original = await known.reopen();
    const { projected } = await family.adapter.encode(withSessions(model, { [encoder]: original }), inputs);
    const expected = toFloat32(projected).data.slice();
    await original.release?.();
    const got = toFloat32((await family.adapter.encode(model, inputs)).projected).data;
    const relative = relativeDifference(expected, got);
    const facts = { largestDifference: relative };
    const status = relative <= ROUNDING ? 'pass' : relative <= HALF_ROUNDING ? 'warn' : 'fail';
    const detail =
      relative === 0
        ? 'image_features are the same with and without the additional output'
        : `image_features differ by ${inDigits(relative)} of their largest value`;
    return check('tapOutput', status, detail, facts);
  } catch (error) {
    return check('tapOutput', 'skipped', `the original encoder could not be opened: ${messageOf(error)}`);
  }
}

function text(results: readonly ImageResult[]): VerifyCheck {
  const wrong = results.filter(({ isQuestion }) => !isQuestion);
  const [first] = results as readonly [ImageResult];
  const { text: one } = first.image;
  const facts = {
    source: one?.source ?? 'none',
    ids: one?.ids.join(' ') ?? '',
    tokens: one?.tokens.join('|') ?? '',
  };
  if (wrong.length === 0) {
    const detail = `the question is read from the prompt (${one?.source}); '${first.image.question}' becomes ${one?.tokens.map((token) => `'${token}'`).join(' ')}`;
    return check('text', 'pass', detail, facts);
  }
  const { image } = wrong[0] as ImageResult;
  const detail =
    image.text === undefined
      ? `${names(wrong)}: the selection uses no text`
      : `${names(wrong)}: the question is '${image.question}', but the selection uses '${image.text.text}' (${image.text.source}); pass mmtok: { question } with each call`;
  return check('text', 'warn', detail, facts);
}

function baselines(results: readonly ImageResult[]): VerifyCheck {
  const mean = (values: readonly number[]): number => sum(values) / values.length;
  const random = mean(results.map(({ image }) => image.overlap.random));
  const expected = mean(results.map(({ image }) => image.overlap.expected));
  const byText = results.flatMap(({ image }) => image.overlap.textOnly ?? []);
  const facts = { random, expected, ...(byText.length > 0 && { textOnly: mean(byText) }) };
  if (results.some(({ isSelectHonored }) => !isSelectHonored)) {
    return check('baselines', 'fail', 'the kept tokens are not those that a select function chose', facts);
  }
  const sameAsRandom = results.filter(({ differs }) => !differs.fromRandom);
  const sameAsText = results.filter(({ differs }) => differs.fromText === false);
  const share = (value: number): string => `${Math.round(value * 100)} %`;
  const detail =
    `a random selection shares ${share(random)} of the kept tokens (expected by chance: ${share(expected)})` +
    (byText.length > 0 ? `, text coverage alone ${share(mean(byText))}` : '');
  if (sameAsRandom.length < results.length && sameAsText.length < results.length) {
    return check('baselines', 'pass', detail, facts);
  }
  const mayBeChance = results.every(({ image }) => image.keptTokens < TOO_FEW);
  return check('baselines', mayBeChance ? 'warn' : 'fail', `${detail}: exactly the same tokens`, facts);
}
