import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

// The example of the documents, on real files: red, green and blue pictures, of which the target has two kinds. Needs dist/.

const folder = mkdtempSync(join(tmpdir(), 'padagrad-photos-'));
test.after(() => rmSync(folder, { recursive: true, force: true }));

const COLOURS = { blue: '#2030d0', green: '#30b040', red: '#d03020' };

test('examples/photos.mjs labels a folder of images by those of another', async () => {
  for (const [name, background] of Object.entries(COLOURS))
    for (let i = 0; i < 16; i++) {
      const shade = { brightness: 0.7 + 0.03 * i };
      const picture = sharp({ create: { width: 40, height: 40, channels: 3, background } }).modulate(shade);
      mkdirSync(join(folder, 'source', name), { recursive: true });
      await picture
        .clone()
        .png()
        .toFile(join(folder, 'source', name, `${i}.png`));
      mkdirSync(join(folder, 'target'), { recursive: true });
      if (name === 'green') continue;
      await picture
        .clone()
        .blur(2)
        .jpeg()
        .toFile(join(folder, 'target', `${name}-${i}.jpg`));
    }
  const stdout = execFileSync(
    process.execPath,
    ['examples/photos.mjs', join(folder, 'source'), join(folder, 'target')],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
  );
  const [first, ...lines] = stdout.trim().split('\n');
  assert.is(first, 'the target seems to contain blue, red');
  assert.is(lines.length, 32);
  for (const line of lines) assert.match(line, /^(blue|red)-\d+\.jpg \1$/);
});

test.run();
