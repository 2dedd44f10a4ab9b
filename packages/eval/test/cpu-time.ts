// Time that other programs on the machine do not lengthen.

/** The CPU time of this process while `work` runs, in ms. */
export function cpuTimeOf(work: () => unknown): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
