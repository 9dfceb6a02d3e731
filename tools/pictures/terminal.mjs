// Takes the README's picture of a terminal. It runs a command in a pseudo-terminal, draws the output with a terminal emulator, and
// takes a screenshot in a browser. The text goes into docs/figures/terminal.json and into the picture itself, so that a test can
// tell whether the picture shows the recorded run.
//
//   cd tools/pictures && npm ci
//   CHROME_PATH=/usr/bin/chromium node terminal.mjs [--rows N] [-- COMMAND ...]      (default: npm start)
//
// Needs `script` of util-linux for the pseudo-terminal, and a monospaced font with block characters, such as DejaVu.
import { execFileSync, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import serializer from '@xterm/addon-serialize';
import xterm from '@xterm/headless';
import { openBrowser } from '../browser/openBrowser.mjs';
import { withText } from './pngText.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const COLUMNS = 96;
const THEME = { background: '#10141c', foreground: '#d7dde8' };

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rows: { type: 'string', default: '29' } },
});
const rows = Number(values.rows);
const command = positionals.length > 0 ? positionals.join(' ') : 'npm start';

/** Returns everything that a command prints to a terminal. */
async function record(line) {
  const sized = `stty cols ${COLUMNS} rows ${rows}; ${line}`;
  const child = spawn('script', ['-qefc', sized, '/dev/null'], { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] });
  const parts = [];
  for await (const part of child.stdout) parts.push(part);
  return Buffer.concat(parts);
}

/** Returns the terminal's last screen as HTML, and as lines of text. */
async function draw(output) {
  const terminal = new xterm.Terminal({ cols: COLUMNS, rows, theme: THEME, allowProposedApi: true });
  const addon = new serializer.SerializeAddon();
  terminal.loadAddon(addon);
  await new Promise((done) => terminal.write(output, done));
  const { active } = terminal.buffer;
  const lines = Array.from({ length: rows }, (_, i) => active.getLine(active.viewportY + i).translateToString(true));
  const html = addon.serializeAsHTML({ scrollback: 0, includeGlobalBackground: true });
  return { html, lines: lines.slice(0, lines.findLastIndex(Boolean) + 1) };
}

const page = (html) => `<!doctype html><style>
  body { margin: 0; padding: 18px 22px; background: #10141c; width: max-content; }
  pre, pre * { font: 13px/1.25 'DejaVu Sans Mono', monospace !important; }
  pre { margin: 0; }
</style><pre style="color:#8a93a6">$ ${command}</pre>${html}`;

const load = Number(loadavg()[0].toFixed(2));
const { html, lines } = await draw(await record(command));
const browser = await openBrowser();
try {
  const context = await browser.newContext({ deviceScaleFactor: 2 });
  const tab = await context.newPage();
  await tab.setContent(page(html));
  const picture = await tab.locator('body').screenshot();
  writeFileSync(`${ROOT}docs/pictures/terminal.png`, withText(picture, lines.join('\n')));
} finally {
  await browser.close();
}
// The commit that last changed what the command runs.
const last = ['log', '-1', '--format=%h', '--', 'src', 'shaders'];
const commit = execFileSync('git', last, { cwd: ROOT, encoding: 'utf8' }).trim();
const recording = { date: new Date().toISOString().slice(0, 10), commit, command, load, lines };
writeFileSync(`${ROOT}docs/figures/terminal.json`, `${JSON.stringify(recording, null, 2)}\n`);
