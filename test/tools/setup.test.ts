import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { waysOf } from '../../src/cli/setup/adapter.mjs';
import { backports } from '../../src/cli/setup/apt.mjs';
import { withoutNoise } from '../../src/cli/setup/process.mjs';
import { waysToBrowser } from '../../tools/setup/browser.mjs';
import { differs } from '../../tools/setup/install.mjs';

const tool = (path: string): string => JSON.stringify(pathToFileURL(resolve(path)).href);

async function inFolder(body: (folder: string) => Promise<void> | void): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'padagrad-test-'));
  try {
    await body(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('root with apt tries lavapipe before SwiftShader; other users of Linux x64 only SwiftShader', () => {
  const debian = { platform: 'linux', arch: 'x64', root: true, apt: true };
  assert.equal(waysOf(debian), ['lavapipe', 'SwiftShader']);
  assert.equal(waysOf({ ...debian, root: false }), ['SwiftShader']);
  assert.equal(waysOf({ ...debian, apt: false }), ['SwiftShader']);
  assert.equal(waysOf({ ...debian, arch: 'arm64' }), ['lavapipe']);
  assert.equal(waysOf({ ...debian, arch: 'arm64', root: false }), []);
  assert.equal(waysOf({ ...debian, platform: 'darwin' }), []);
  assert.equal(waysOf({ ...debian, platform: 'win32', root: false }), []);
});

test('root with apt tries to install a browser before unpacking one; other users of Linux x64 only unpack it', () => {
  const debian = { platform: 'linux', arch: 'x64', root: true, apt: true };
  assert.equal(waysToBrowser(debian), ['apt', 'unpack']);
  assert.equal(waysToBrowser({ ...debian, root: false }), ['unpack']);
  assert.equal(waysToBrowser({ ...debian, arch: 'arm64' }), ['apt']);
  assert.equal(waysToBrowser({ ...debian, arch: 'arm64', root: false }), []);
  assert.equal(waysToBrowser({ ...debian, platform: 'darwin' }), []);
});

test("backports of deb822 sources: only Debian's own stanza, from its mirror", () => {
  const text = `# the archive
Types: deb deb-src
URIs: http://mirror.example/debian
Suites: bookworm
 bookworm-updates
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Enabled: no
Types: deb
URIs: http://unused.example/debian
Suites: bookworm
Components: main

Types: deb
URIs: https://download.example/linux/debian
Suites: bookworm
Components: stable
`;
  assert.is(
    backports(text, '.sources', 'bookworm'),
    `# the archive
Types: deb
URIs: http://mirror.example/debian
Suites: bookworm bookworm-backports
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

`,
  );
  assert.is(backports(text, '.sources', 'trixie'), '');
});

test('backports of one-line sources', () => {
  const text = `# deb http://off.example/debian bookworm main
deb [arch=amd64 signed-by=/a.gpg] http://mirror.example/debian bookworm main contrib # ours
deb http://mirror.example/debian-security bookworm-security main
deb-src http://mirror.example/debian bookworm main
deb https://apt.example bookworm main
`;
  assert.is(
    backports(text, '.list', 'bookworm'),
    `deb [arch=amd64 signed-by=/a.gpg] http://mirror.example/debian bookworm main contrib
deb [arch=amd64 signed-by=/a.gpg] http://mirror.example/debian bookworm-backports main contrib
`,
  );
});

test('node_modules is stale if it differs from the lock file, except in packages of other platforms', () => {
  const wanted = {
    '': { version: '0.1.0' },
    'node_modules/uvu': { version: '0.5.6', integrity: 'a' },
    'node_modules/@esbuild/win32-x64': { version: '1.0.0', integrity: 'b', optional: true },
  };
  const uvu = { version: '0.5.6', integrity: 'a' };
  assert.is(differs(wanted, { 'node_modules/uvu': uvu, 'node_modules/extra': uvu }), undefined);
  assert.match(differs(wanted, undefined) ?? '', /missing or incomplete/);
  assert.match(differs(wanted, {}) ?? '', /^uvu is missing/);
  assert.match(
    differs(wanted, { 'node_modules/uvu': { ...uvu, version: '0.5.5' } }) ?? '',
    /^uvu is 0.5.5, wanted 0.5.6/,
  );
  assert.ok(differs(wanted, { 'node_modules/uvu': { ...uvu, integrity: 'c' } }));
});

test('a lock admits one process at a time, and the lock of a dead process is taken over', () =>
  inFolder(async (folder) => {
    const lock = join(folder, 'lock');
    const log = join(folder, 'log');
    const { pid } = spawnSync(process.execPath, ['-e', '']);
    writeFileSync(lock, String(pid));
    const program = `
      import { appendFileSync } from 'node:fs';
      import { withLock } from ${tool('tools/setup/lock.mjs')};
      await withLock(${JSON.stringify(lock)}, async () => {
        appendFileSync(${JSON.stringify(log)}, 'in ');
        await new Promise((resolve) => setTimeout(resolve, 50));
        appendFileSync(${JSON.stringify(log)}, 'out ');
      });`;
    const children = [1, 2, 3].map(() => spawn(process.execPath, ['--input-type=module', '-e', program]));
    const codes = await Promise.all(children.map((child) => new Promise((done) => child.on('exit', done))));
    assert.equal(codes, [0, 0, 0]);
    assert.is(readFileSync(log, 'utf8'), 'in out in out in out ');
  }));

test('the launcher passes on arguments, environment, exit code and signals', async () => {
  const node = (script: string) => {
    const args = JSON.stringify(['-e', script, 'an argument']);
    const changes = '{ ADDED: "1", PATH: null }';
    const program = `import { runNode } from ${tool('src/cli/setup/process.mjs')}; process.exitCode = await runNode(${args}, ${changes});`;
    return spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'pipe'] });
  };
  const end = (child: ReturnType<typeof node>) =>
    new Promise((done) => child.on('close', (code, signal) => done(signal ?? code)));

  assert.is(
    await end(
      node('process.exit(process.argv[1] === "an argument" && process.env.ADDED === "1" && !process.env.PATH ? 7 : 8)'),
    ),
    7,
  );
  assert.is(await end(node('process.kill(process.pid, "SIGKILL")')), 'SIGKILL');
  const noisy = node(
    `console.error("Warning: maxDynamicUniformBuffersPerPipelineLayout artificially reduced from 9 to 1\\nkept")`,
  );
  let printed = '';
  noisy.stderr.on('data', (chunk) => {
    printed += chunk;
  });
  assert.is(await end(noisy), 0);
  assert.is(printed, 'kept\n');
  const waiting = node(
    'process.on("SIGTERM", () => process.exit(9)); setInterval(() => {}, 1000); console.log("ready")',
  );
  waiting.stdout.once('data', () => waiting.kill('SIGTERM'));
  assert.is(await end(waiting), 9);
});

test("Dawn's warnings are left out, and nothing else waits for the end of its line", () => {
  const warning = 'Warning: maxDynamicUniformBuffersPerPipelineLayout artificially reduced from 9 to 1 to fit.\n';
  const passed = (...chunks: string[]): string[] => {
    const written: string[] = [];
    const quiet = withoutNoise((text: string) => written.push(text));
    for (const chunk of chunks) quiet.text(chunk);
    quiet.end();
    return written;
  };
  assert.equal(passed('50 %', '\r60 %'), ['50 %', '\r60 %']);
  assert.equal(passed(`before\n${warning}${warning}after`), ['before\nafter']);
  assert.equal(passed('a\nWarn', warning.slice(4, 60), `${warning.slice(60)}b\n`), ['a\n', 'b\n']);
  assert.equal(passed('Warn', 'ing: hot\n'), ['Warning: hot\n']);
  assert.equal(passed('Warning: maxDynamic'), ['Warning: maxDynamic']);
});

if (process.platform === 'linux' && process.arch === 'x64') {
  test('Dawn finds the unpacked SwiftShader, without root and without drivers', () =>
    inFolder((folder) => {
      symlinkSync(resolve('node_modules'), join(folder, 'node_modules'));
      const program = `
        import { swiftShader, unpackSwiftShader } from ${tool('src/cli/setup/swiftshader.mjs')};
        import { probe } from ${tool('src/cli/setup/probe.mjs')};
        if (swiftShader('unpacked')) throw new Error('it was unpacked before');
        unpackSwiftShader('unpacked');
        console.log(JSON.stringify([probe({ VK_DRIVER_FILES: '/missing' }), probe(swiftShader('unpacked'))]));`;
      const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
        cwd: folder,
        encoding: 'utf8',
      });
      const [without, unpacked] = JSON.parse(stdout);
      assert.equal(without, {});
      assert.match(unpacked.adapter, /swiftshader/i);
    }));
}

test.run();
