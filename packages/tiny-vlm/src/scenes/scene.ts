// A scene as plain JSON data. For its pixels, see draw-scene.ts. The scenes for training and evaluation
// are generated at random in Python (training/tiny_vlm/scenes.py); others can be written by hand.

/** Default width and height of a drawn scene in pixels. */
export const SCENE_SIZE = 128;

/** Width and height in pixels of the scenes of the tiled model. */
export const TILED_SCENE_SIZE = 256;

/** Objects have any shape except `stroke`, which is clutter that no question is about. */
export type SceneShape = 'circle' | 'square' | 'triangle' | 'star' | 'cross' | 'ring' | 'sign' | 'stroke';

/** Red, green, and blue, whole numbers from 0 to 255. */
export type Rgb = readonly [red: number, green: number, blue: number];

/** An object, a sign, or a stroke of clutter. Lengths are in pixels, y points down. */
export interface Thing {
  readonly shape: SceneShape;
  /** The color's name. Only `rgb` is drawn. */
  readonly color: string;
  /** `small` or `large`; signs have no size. Only `radius` is drawn. */
  readonly size?: string;
  readonly x: number;
  readonly y: number;
  /** Half the width of a sign. */
  readonly radius: number;
  /** Cosine and sine of its rotation. */
  readonly cos: number;
  readonly sin: number;
  readonly rgb: Rgb;
  /** How many levels of 255 it brightens over one radius to the right, and downward. */
  readonly shade: readonly [x: number, y: number];
  /** A small mark on an object: a dot, a bar of the same area, or none. @default 'none' */
  readonly mark?: 'none' | 'dot' | 'bar';
  /** What is written on a sign, in characters of `signCharacters`. @default nothing */
  readonly text?: string;
}

/** The surface behind everything. Amplitudes are in levels of 255. */
export interface Background {
  /** The color's name. Only `rgb` is drawn. */
  readonly color: string;
  readonly rgb: Rgb;
  /** How many levels it brightens from left to right, and from top to bottom. */
  readonly gradient: readonly [x: number, y: number];
  /** Amplitude of smooth spots. */
  readonly blotch: number;
  readonly pattern: 'plain' | 'stripes' | 'checks';
  /** Difference between the bands of the pattern. */
  readonly contrast: number;
  /** Width of a band in pixels. */
  readonly period: number;
  /** Cosine and sine of the pattern's rotation. */
  readonly cos: number;
  readonly sin: number;
  /** Amplitude of the noise that lies over everything. */
  readonly grain: number;
  /** Seeds spots and noise: a whole number from 0 to 2³² − 1. */
  readonly seed: number;
}

/** An image as data. Clutter lies below the objects; later objects lie above earlier ones. */
export interface Scene {
  readonly background: Background;
  readonly objects: readonly Thing[];
  readonly clutter: readonly Thing[];
  /** Width and height in pixels. @default SCENE_SIZE */
  readonly side?: number;
}
