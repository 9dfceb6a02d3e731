import { execFileSync } from 'node:child_process';
import process from 'node:process';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

// The examples that need nothing but the package, run as a user runs them. Needs dist/.

const PRINTS = {
  'custom-op':
    'gradient correct\ngradient of the mean: 0.0104 0.0417 0.0741 0.0741 0.0417 0.0104\ngradCheck: found the wrong gradient\n',
  'own-network': 'nearly all of 100 target examples are labelled correctly\n',
  'two-moons': 'nearly all of 256 validation points are classified correctly\n',
};

for (const [name, prints] of Object.entries(PRINTS)) {
  test(`examples/${name}.mjs prints what it should`, () => {
    const stdout = execFileSync(process.execPath, [`examples/${name}.mjs`], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    assert.is(stdout, prints);
  });
}

test.run();
