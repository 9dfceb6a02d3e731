import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { apiListing, LISTING } from '../../tools/apiListing.mjs';

// The public API, name by name: what changes in it is seen in docs/api.md.

test('the listing of the public API is what the sources say; `node tools/apiListing.mjs` writes it anew', () => {
  assert.is(readFileSync(LISTING, 'utf8'), apiListing());
});

test('the package exports by name, and all that its rooms do', () => {
  const exported = (path: string): string[] =>
    [...readFileSync(path, 'utf8').matchAll(/^export (?:type )?\{([^}]*)\}/gm)].flatMap(([, names]) =>
      names!
        .split(',')
        .map((name) => name.trim().replace(/^type /, ''))
        .filter(Boolean),
    );
  const own = exported('src/index.ts');
  const rooms = ['ops', 'nn', 'optim', 'adaptation'].flatMap((room) => exported(`src/${room}/index.ts`));
  assert.equal(
    rooms.filter((name) => !own.includes(name)),
    [],
  );
  assert.not.match(readFileSync('src/index.ts', 'utf8'), /export \*|import|const|function/);
});

test.run();
