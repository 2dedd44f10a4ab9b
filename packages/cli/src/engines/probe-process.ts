// The process that inspect-engines.ts starts: one probe, with its result as JSON on the last line of stdout.

import { probe, targetSchema } from './probe.js';

const result = await probe(targetSchema.parse(JSON.parse(process.argv[2] ?? '')));
process.stdout.write(`\n${JSON.stringify(result)}\n`);
// Threads of native engines may keep the process alive.
process.exit(0);
