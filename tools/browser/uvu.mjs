// Replaces `uvu` in browser tests: the same functions, plus a global from which the page starts the tests and reads their names.
import { exec, test as own } from 'uvu';
import '../test/nameSkipped.mjs';

export * from 'uvu';

globalThis.tests = { names: [], exec };

const named = (name, body) => {
  globalThis.tests.names.push(name);
  own(name, body);
};

export const test = Object.assign(named, own);
