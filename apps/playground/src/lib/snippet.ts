// The code that does what the page shows, for Node or a browser.

import type { TileChoice } from './tiles.js';
import { type Device, FOCUS, type ModelChoice, type RankingMethod } from './types.js';

/** What the code is to do. */
export interface SnippetState {
  readonly where: 'node' | 'browser';
  readonly model: ModelChoice;
  readonly device: Device;
  readonly question: string;
  readonly kept: number;
  readonly tiles: TileChoice;
  readonly method: RankingMethod;
  /** A name for the image's file. */
  readonly image: string;
}

/** A program of a dozen lines. */
export function snippet(state: SnippetState): string {
  const { where, model, device, question, kept, tiles, method } = state;
  const embedded = model.kind === 'embedded';
  const isTiled = model.kind === 'embedded' && model.size === 'tiled';
  const path = isTiled ? 'tiledModelPath' : 'modelPath';
  const dtype = isTiled ? "dtype: 'fp16'" : "dtype: 'fp32'";
  const on = where === 'browser' && device === 'webgpu' ? ["device: 'webgpu'"] : [];
  const choice = [
    `keep: ${kept}`,
    ...(tiles === 'all'
      ? []
      : [`tiles: { ${'max' in tiles ? `max: ${tiles.max}` : `worth: ${tiles.worth}`} }`]),
    ...(method === 'focus' ? [`focus: ${FOCUS}`] : []),
  ];
  const image = where === 'node' ? quoted(state.image) : 'file'; // A File of <input type="file">.
  const load = !embedded
    ? call(`const vlm = await createVlm(${quoted(model.id)}, `, [
        ...on,
        `dtype: ${quoted(model.dtype)}`,
        ...choice,
      ])
    : where === 'node'
      ? call(`const vlm = await createVlm(${path}, `, [dtype, ...choice])
      : [
          `// Serve the package's folder '${isTiled ? 'model-tiled' : 'model'}' under /tiny-vlm/.`,
          ...call('const tiny = await loadTinyVlm(', [
            ...(isTiled ? ["size: 'tiled'"] : []),
            ...on,
            dtype,
            "baseUrl: '/tiny-vlm/'",
          ]),
          ...call('const vlm = await createVlm(tiny, ', choice),
        ];
  return [
    `// npm install @mmtok/transformers @huggingface/transformers${embedded ? ' @mmtok/tiny-vlm' : ''}`,
    ...(embedded ? [`import { ${where === 'node' ? path : 'loadTinyVlm'} } from '@mmtok/tiny-vlm';`] : []),
    `import { createVlm } from '@mmtok/transformers';`,
    '',
    ...load,
    ...(where === 'browser' ? [`const [file] = document.querySelector('input[type=file]').files;`] : []),
    `const { text, report } = await vlm.ask({`,
    `  image: ${image},`,
    `  question: ${quoted(question)},`,
    `});`,
    `console.log(text, report.keptTokens, 'of', report.visionTokens, report.timings);`,
    `await vlm.dispose();`,
    '',
  ].join('\n');
}

/** A call whose last argument is an object: in one line where it is short. */
function call(start: string, options: readonly string[]): readonly string[] {
  const line = `${start}{ ${options.join(', ')} });`;
  return line.length <= 76 ? [line] : [`${start}{`, ...options.map((option) => `  ${option},`), '});'];
}

const quoted = (text: string): string =>
  `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('\n', '\\n')}'`;
