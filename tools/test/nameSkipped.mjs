// Loaded before a test file: prints the names of skipped tests, which uvu only counts.
import { test } from 'uvu';

const skip = test.skip;
test.skip = (name) => {
  console.log(`skipped: ${name}`);
  skip();
};
