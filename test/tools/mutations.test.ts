import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { listMutations, showMutation, staleBecause } from '../../tools/test/mutations.mjs';
import { listTests } from '../../tools/test/plan.mjs';

// No entry of the lists of `npm run mutate` is stale. Trying the entries takes minutes, so this test does not.

const mutations = await listMutations('test/mutations');
const tests = listTests('test', '.build/test');

test('every listed edit fits its file, and its tests exist', () => {
  const stale = mutations.map((entry) => [showMutation(entry), staleBecause(entry, tests)]);
  assert.equal(
    stale.filter(([, reason]) => reason),
    [],
  );
});

test('no edit is listed twice', () => {
  const shown = mutations.map(({ file, from, to }) => JSON.stringify([file, from, to]));
  assert.equal(
    shown.filter((text, i) => shown.indexOf(text) !== i),
    [],
  );
});

const entry = {
  ...{ file: 'shaders/sub.wgsl', from: 'return -1.0', to: 'return 1.0' },
  ...{ tests: ['ops/sub'], equivalent: undefined },
};
const REFUSED: [Record<string, unknown>, RegExp][] = [
  [{ file: 'shaders/nosuch.wgsl' }, /there is no file shaders\/nosuch.wgsl/],
  [{ from: 'return 7.0' }, /must occur once in shaders\/sub.wgsl but occurs 0 times/],
  [{ from: 'f32' }, /occurs 9 times/],
  [{ to: 'return -1.0' }, /another text/],
  [{ tests: [] }, /needs tests/],
  [{ tests: ['ops/nosuch'] }, /no test ops\/nosuch/],
  [{ tests: ['ops/sub [nosuch]'] }, /no test ops\/sub \[nosuch\]/],
  [{ tests: undefined }, /needs tests/],
];
for (const [change, message] of REFUSED) {
  test(`an entry with ${JSON.stringify(change)} is stale`, () => {
    assert.match(staleBecause({ ...entry, ...change }, tests) ?? 'it fits', message);
  });
}

test('an entry that fits is not stale', () => {
  for (const named of [['ops/sub'], ['ops/sub [disordered]'], ['check']])
    assert.is(staleBecause({ ...entry, tests: named }, tests), undefined);
  assert.is(staleBecause({ ...entry, tests: undefined, equivalent: 'a reason' }, tests), undefined);
});

test.run();
