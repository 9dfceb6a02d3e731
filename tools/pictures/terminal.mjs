// Takes the README's picture of a terminal. It runs a command in a pseudo-terminal, draws the output with a terminal emulator, and
// takes a screenshot in a browser.
//
//   cd tools/pictures && npm ci
//   CHROME_PATH=/usr/bin/chromium node terminal.mjs [--rows N] [--out FILE] [-- COMMAND ...]      (`npm start` by default)
//
// Needs `script` of util-linux for the pseudo-terminal, and a monospaced font with block characters, such as DejaVu.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import serializer from '@xterm/addon-serialize';
import xterm from '@xterm/headless';
import { openBrowser } from '../browser/openBrowser.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const COLUMNS = 96;

const { values, positionals: command } = parseArgs({
  allowPositionals: true,
  options: {
    rows: { type: 'string', default: '30' },
    out: { type: 'string', default: fileURLToPath(new URL('../../docs/pictures/terminal.png', import.meta.url)) },
  },
});
const rows = Number(values.rows);
const asked = command.length > 0 ? command.join(' ') : 'npm start';

/** Returns everything that a command prints to a terminal. */
async function record(line) {
  const sized = `stty cols ${COLUMNS} rows ${rows}; ${line}`;
  const child = spawn('script', ['-qefc', sized, '/dev/null'], { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] });
  const parts = [];
  for await (const part of child.stdout) parts.push(part);
  return Buffer.concat(parts);
}

/** Returns the terminal's last screen as HTML. */
async function draw(output) {
  const theme = { background: '#10141c', foreground: '#d7dde8' };
  const terminal = new xterm.Terminal({ cols: COLUMNS, rows, theme, allowProposedApi: true });
  const addon = new serializer.SerializeAddon();
  terminal.loadAddon(addon);
  await new Promise((done) => terminal.write(output, done));
  return addon.serializeAsHTML({ scrollback: 0, includeGlobalBackground: true });
}

const page = (html) => `<!doctype html><style>
  body { margin: 0; padding: 18px 22px; background: #10141c; width: max-content; }
  pre, pre * { font: 13px/1.25 'DejaVu Sans Mono', monospace !important; }
  pre { margin: 0; }
</style><pre style="color:#8a93a6">$ ${asked}</pre>${html}`;

const html = await draw(await record(asked));
const browser = await openBrowser();
try {
  const context = await browser.newContext({ deviceScaleFactor: 2 });
  const tab = await context.newPage();
  await tab.setContent(page(html));
  await tab.locator('body').screenshot({ path: values.out });
} finally {
  await browser.close();
}
