import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { apiListing, LISTING } from '../../tools/apiListing.mjs';

// Every change of the public API shows in docs/api.md.

test('docs/api.md lists the public API as it is; `node tools/apiListing.mjs` writes it', () => {
  assert.is(readFileSync(LISTING, 'utf8'), apiListing());
});

test.run();
