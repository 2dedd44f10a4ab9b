// The program of the process that isolated-probe.ts starts: one probe, its result as JSON on the last line of stdout.

import { probe, targetSchema } from './probe.js';

const result = await probe(targetSchema.parse(JSON.parse(process.argv[2] ?? '')));
process.stdout.write(`\n${JSON.stringify(result)}\n`);
// Native engines may keep threads that hold the process.
process.exit(0);
