// What the site needs before VitePress runs: the API reference, and the playground where it has been built.

import { copyPlayground } from './playground.mjs';
import { prepareReference } from './reference.mjs';

const { isBuilt } = await copyPlayground();
console.log(isBuilt ? 'playground: copied from apps/playground/dist' : 'playground: not built, left out');
const { modules } = await prepareReference();
console.log(`reference: ${modules.length} entry points`);
