// Loaded before a test file: uvu counts tests that are skipped, and this names them.
import { test } from 'uvu';

const skip = test.skip;
test.skip = (name) => {
  console.log(`skipped: ${name}`);
  skip();
};
