/**
 * Builds `query.js`, and what it imports, into a component: `node build.js WIT NAME.wasm`, where WIT is the folder of the
 * contract.
 */

import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { componentize } from 'componentize-qjs';

/** What a pod has besides its metadata. */
const DETAILS = ['spec', 'status', 'health', 'object'];

const [contract, out] = process.argv.slice(2);
// The tool takes one folder: what the world in there includes is in its folder `deps`.
const wit = await mkdtemp(join(tmpdir(), 'podlens-'));
try {
  await cp('podlens.wit', join(wit, 'podlens.wit'));
  await cp(contract, join(wit, 'deps/podlens'), { recursive: true });
  await leaveOut(join(wit, 'deps/podlens/pods.wit'), await unnamed(DETAILS));
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

/** Those of the words that are in none of the project's own modules, not even in a comment. */
async function unnamed(words) {
  const paths = await readdir('.', { recursive: true });
  const own = paths.filter((path) => /\.m?js$/.test(path) && !/(^|[\\/])(node_modules[\\/]|podlens\.js$|build\.js$)/.test(path));
  const texts = await Promise.all(own.map((path) => readFile(path, 'utf8')));
  return words.filter((word) => !texts.some((text) => new RegExp(`\\b${word}\\b`).test(text)));
}

/** Takes methods out of an interface. Of a component that imports none of them, podlens asks the cluster for metadata only. */
async function leaveOut(path, methods) {
  let text = await readFile(path, 'utf8');
  for (const method of methods) {
    text = text.replace(new RegExp(`^(?: *///.*\\n)* *@since\\(.*\\)\\n *${method}: func\\b.*\\n`, 'm'), '');
  }
  await writeFile(path, text);
}
