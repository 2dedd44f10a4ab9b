// What an agent is worth: accuracy of the embedded model on its held-out questions at few vision tokens, with the
// question alone and with an agent's words. The agents: an oracle (the true answer, which bounds what any agent can give),
// the embedded model itself with all its tokens, and one that is always wrong. `auto` asks only about vague questions.
// It reads the built packages. `--kind <kind>` and `--limit <n>` take some of the questions; `--every-word` switches the
// rules of enrichment off; `--write` puts the tables into docs/agent.md.

import { readFile, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { RawImage } from '@huggingface/transformers';
import { agentFrom, createAgent } from '@mmtok/agent';
import { createOrtBackend } from '@mmtok/ort-backend';
import { heldOut, modelPath, questionKinds } from '@mmtok/tiny-vlm';
import { loadVlm, prune } from '@mmtok/transformers';

const BUDGETS = [4, 8, 16, 32, 64];
const THRESHOLD = 0.5;
const { values } = parseArgs({
  options: {
    kind: { type: 'string' },
    limit: { type: 'string' },
    'every-word': { type: 'boolean' },
    write: { type: 'boolean' },
  },
});
const rules = values['every-word'] ? { drop: [], suppressRepeats: false, answerStopWords: [] } : {};

const questions = (await heldOut())
  .filter(({ kind }) => values.kind === undefined || kind === values.kind)
  .slice(0, Number(values.limit ?? Number.POSITIVE_INFINITY));
const { model, processor } = await loadVlm(modelPath);
const handle = prune(model, { processor, backend: await createOrtBackend(), budget: { ratio: 1 } });
const self = await createAgent({ model: modelPath, maxNewTokens: 4 });

const records = [];
for (const [at, asked] of questions.entries()) records.push(await examine(asked, at));
await self.dispose();

/** Everything about one question: whether it is answered correctly with each agent at each budget, and times. */
async function examine({ image: path, question, answer, kind }, at) {
  const image = await RawImage.read(path);
  const content = [{ type: 'image' }, { type: 'text', text: question }];
  const prompt = processor.apply_chat_template([{ role: 'user', content }], { add_generation_prompt: true });
  const inputs = await processor(image, prompt);
  const times = {};
  const isRight = async (mmtok) => {
    const started = performance.now();
    const sequences = await model.generate({ ...inputs, max_new_tokens: 4, mmtok });
    if (mmtok !== false && mmtok.agent === undefined) {
      times[mmtok.budget.tokens] = performance.now() - started;
    }
    const fresh = sequences.slice(null, [inputs.input_ids.dims.at(-1), null]);
    return processor.batch_decode(fresh, { skip_special_tokens: true })[0].trim() === answer;
  };
  const own = await self(image, question);
  const says = { none: undefined, oracle: answer, self: own.answer, wrong: wrongAnswer(kind, answer, at) };
  const right = { all: [await isRight(false)] };
  for (const [name, reply] of Object.entries(says)) {
    const agent = reply === undefined ? undefined : agentFrom(() => reply, rules);
    right[name] = [];
    for (const tokens of BUDGETS) {
      right[name].push(await isRight({ budget: { tokens }, ...(agent && { agent, images: [image] }) }));
    }
  }
  const auto = { ask: agentFrom(() => ''), when: 'auto', threshold: THRESHOLD };
  await isRight({ budget: { tokens: BUDGETS[0] }, agent: auto, images: [image] });
  const { informativeness } = handle.lastSelection.rows[0].agent;
  // Where `auto` does not ask, the selection is that of the question alone, so its rows need no runs of their own.
  const isVague = informativeness < THRESHOLD;
  right.autoOracle = isVague ? right.oracle : right.none;
  right.autoSelf = isVague ? right.self : right.none;
  return { kind, right, informativeness, isVague, times, agentMs: own.timings.totalMs };
}

/** The answer of another question of the kind, where it differs. */
function wrongAnswer(kind, answer, at) {
  const others = [...questions.slice(at), ...questions.slice(0, at)];
  return others.find((other) => other.kind === kind && other.answer !== answer)?.answer ?? '';
}

const LABELS = {
  none: 'the question alone',
  oracle: 'oracle',
  self: 'the model itself',
  wrong: 'always wrong',
  autoOracle: 'oracle, `auto`',
  autoSelf: 'the model itself, `auto`',
};

const share = (all, holds) => (100 * all.filter(holds).length) / all.length;
const percent = (number) => number.toFixed(1);
const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];

function table(head, rows) {
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column].length)));
  const line = (row) =>
    `| ${row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column]))).join(' | ')} |`;
  const rule = widths.map((width, column) =>
    column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`,
  );
  return [head, rule, ...rows].map(line).join('\n');
}

const tokens = BUDGETS.map((budget) => `${budget} tokens`);
const accuracy = table(
  ['agent', ...tokens],
  Object.entries(LABELS).map(([name, label]) => [
    label,
    ...BUDGETS.map((_, b) => percent(share(records, ({ right }) => right[name][b]))),
  ]),
);

/** Questions answered only with the agent, and only without. */
const changes = table(
  ['agent', ...tokens],
  ['oracle', 'self', 'wrong'].map((name) => [
    LABELS[name],
    ...BUDGETS.map((_, b) => {
      const won = records.filter(({ right }) => right[name][b] && !right.none[b]).length;
      const lost = records.filter(({ right }) => !right[name][b] && right.none[b]).length;
      return `+${won} −${lost}`;
    }),
  ]),
);

const byKind = table(
  ['kind', 'asked by `auto`', ...tokens, 'all 256'],
  questionKinds.flatMap((kind) => {
    const own = records.filter((record) => record.kind === kind);
    if (own.length === 0) return [];
    const cell = (name, b) => percent(share(own, ({ right }) => right[name][b]));
    return [
      [
        kind,
        `${percent(share(own, ({ isVague }) => isVague))} %`,
        ...BUDGETS.map((_, b) => `${cell('none', b)} / ${cell('oracle', b)} / ${cell('self', b)}`),
        cell('all', 0),
      ],
    ];
  }),
);

const costs = table(
  ['', ...tokens],
  [
    [
      'pruned model, ms',
      ...BUDGETS.map((budget) => percent(median(records.map(({ times }) => times[budget])))),
    ],
    ['agent, ms', ...BUDGETS.map(() => percent(median(records.map(({ agentMs }) => agentMs))))],
  ],
);

const asked = percent(share(records, ({ isVague }) => isVague));
const report = `${records.length} questions, ${new Date().toISOString().slice(0, 10)}, Node ${process.versions.node}, ${availableParallelism()} CPU cores.

Correct answers in percent:

${accuracy}

\`auto\` (threshold ${THRESHOLD}) asked about ${asked} % of the questions. With all 256 tokens, ${percent(share(records, ({ right }) => right.all[0]))} % are answered correctly.

Questions won and lost against the question alone:

${changes}

By kind, as "question alone / oracle / the model itself":

${byKind}

Medians of time, the picture's preparation counted to the agent only:

${costs}
`;
console.log(report);

if (values.write) {
  const page = new URL('../../../docs/agent.md', import.meta.url);
  const text = await readFile(page, 'utf8');
  const marks = /(<!-- measured:start -->\n)[\s\S]*(<!-- measured:end -->)/;
  if (!marks.test(text)) {
    throw new Error(
      'docs/agent.md lacks the lines <!-- measured:start --> and <!-- measured:end -->; put them back.',
    );
  }
  await writeFile(
    page,
    text.replace(marks, (_, start, end) => `${start}\n${report}\n${end}`),
  );
}
