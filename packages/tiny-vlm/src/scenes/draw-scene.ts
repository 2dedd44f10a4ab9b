// A scene's pixels, byte for byte those of training/tiny_vlm/draw.py: both use only + - * / sqrt floor abs min max on 64-bit
// floats, in the same order, and noise from integers. Change one only with the other; a test compares them.
import { checkScene } from './check-scene.js';
import { drawBackground } from './draw-background.js';
import { noise } from './noise.js';
import { paintThing } from './paint-thing.js';
import { SCENE_SIZE, type Scene } from './scene.js';

/**
 * Draws a scene.
 *
 * @returns 128 × 128 pixels, row by row, three bytes each: red, green, blue.
 * @throws TinyVlmError `MMTOK_UNKNOWN_SHAPE` for a shape that there is not, `MMTOK_INVALID_SCENE` for a scene of another form.
 * @example
 * const image = new RawImage(drawScene(scene), SCENE_SIZE, SCENE_SIZE, 3);
 * await vlm.ask(image, 'What color is the star?');
 */
export function drawScene(scene: Scene): Uint8Array {
  checkScene(scene);
  const { background, clutter, objects } = scene;
  const levels = drawBackground(background);
  for (const stroke of clutter) paintThing(levels, stroke);
  for (const object of objects) paintThing(levels, object);

  const pixels = new Uint8Array(levels.length);
  const grain = noise(background.seed, SCENE_SIZE * SCENE_SIZE);
  for (let pixel = 0; pixel < grain.length; pixel++) {
    const shift = (grain[pixel]! - 0.5) * (2 * background.grain);
    for (let at = 3 * pixel; at < 3 * pixel + 3; at++) {
      pixels[at] = Math.floor(Math.min(Math.max(levels[at]! + shift, 0), 255) + 0.5);
    }
  }
  return pixels;
}
