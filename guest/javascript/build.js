/**
 * Builds `query.js`, and what it imports, into a component: `node build.js WIT NAME.wasm`, where WIT is the folder of the
 * contract.
 */

import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { componentize } from 'componentize-qjs';

const [contract, out] = process.argv.slice(2);
// The tool takes one folder: what the world in there includes is in its folder `deps`.
const wit = await mkdtemp(join(tmpdir(), 'podlens-'));
try {
  await cp('podlens.wit', join(wit, 'podlens.wit'));
  await cp(contract, join(wit, 'deps/podlens'), { recursive: true });
  const { component } = await componentize({
    witPath: wit,
    jsPath: 'query.js',
    jsSource: await readFile('query.js', 'utf8'),
    moduleRoot: '.',
    sync: true,
  });
  await writeFile(out, component);
} catch (error) {
  console.error(error.message.replace(/^: /, '').trim());
  process.exitCode = 1;
} finally {
  await rm(wit, { recursive: true });
}
