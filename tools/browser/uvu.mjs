// What test files get for `uvu` in a browser: uvu itself, with the tests' names and their start in reach of the page.
import { exec, test as own } from 'uvu';
import '../test/nameSkipped.mjs';

export * from 'uvu';

globalThis.tests = { names: [], exec };

const named = (name, body) => {
  globalThis.tests.names.push(name);
  own(name, body);
};

export const test = Object.assign(named, own);
