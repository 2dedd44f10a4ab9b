// Describes the machine on which times were measured.

import { arch, cpus, platform, totalmem } from 'node:os';

/** `'AMD EPYC, 2 cores, 16 GiB, linux x64, Node v20.20.2'` */
export function describeMachine(): string {
  const all = cpus();
  const processor = `${all[0]?.model.trim() ?? 'unknown processor'}, ${all.length} cores`;
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`;
  return `${processor}, ${memory}, ${platform()} ${arch()}, Node ${process.version}`;
}
