// Describes the machine on which times were measured.

import { cpus } from 'node:os';

/** `'AMD EPYC, 2 cores, Node v20.20.2'` */
export function describeMachine(): string {
  const all = cpus();
  return `${all[0]?.model.trim() ?? 'unknown processor'}, ${all.length} cores, Node ${process.version}`;
}
