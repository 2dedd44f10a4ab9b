// All families by name. To add one: write its file, then list it here.
import type { Family } from '../family.js';
import { llava } from './llava.js';

export const families = { llava } as const satisfies Record<string, Family>;

export type FamilyName = keyof typeof families;
