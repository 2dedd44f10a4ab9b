// Methods of `mmtok eval` that are handed another text than the question's: normal numbers, the words of an earlier question about
// another image, or ones. They tell whether a method is hurt by a text that says nothing, or something else.
//   mmtok eval shapes --methods vision-only,./packages/eval/bench/replaced-text.mjs --keep 10%,16,8,4 --limit 270 --out run
//   node packages/eval/bench/ahead.mjs run --of vision-only
import { float32 } from '@mmtok/core/backend';
import { createRandom } from '@mmtok/core/internal';
import { mmtok, mmtokAuto, mmtokFocused } from '@mmtok/eval';

/** The texts of the last questions. Two in a row may be about the same scene, three are not. */
const asked = [];

/** Rows as many and as wide as those given. */
const replacements = {
  noise: ({ dims }, seed) => {
    const draw = createRandom(seed);
    const normal = () => Math.sqrt(-2 * Math.log(1 - draw())) * Math.cos(2 * Math.PI * draw());
    return float32(Float32Array.from({ length: dims[0] * dims[1] }, normal), dims);
  },
  other: (text) => {
    const latest = asked.at(-1);
    if (latest === undefined || !isSame(latest, text)) asked.push(text);
    if (asked.length > 3) asked.shift();
    return asked.length === 3 ? asked[0] : undefined;
  },
  constant: ({ dims }) => float32(new Float32Array(dims[0] * dims[1]).fill(1), dims),
};

const isSame = (a, b) => a.data.length === b.data.length && a.data.every((value, i) => value === b.data[i]);

export default [mmtok, mmtokFocused, mmtokAuto].flatMap((method) => [
  method,
  ...Object.entries(replacements).map(([name, replace]) => ({
    ...method,
    name: `${method.name}-${name}`,
    title: `${method.title}, ${name}`,
    select: ({ text, ...features }, request) => {
      const other = text && replace(text, request.seed ?? 0);
      return method.select({ ...features, ...(other && { text: other }) }, request);
    },
  })),
]);
