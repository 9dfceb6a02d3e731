import { spawnSync } from 'node:child_process';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import type { Context } from '../context.ts';
import { EXIT } from '../errors.ts';

/** `padagrad bench`: passes everything on to the bench, which is a program of its own. */
export function addBench(root: Command, context: Context): void {
  root
    .command('bench')
    .description('measure the kernels')
    .argument('[args...]', 'what the bench is told')
    .helpOption(false)
    .allowUnknownOption()
    .action((args: string[]) => {
      // Beside the command line, in a clone as in the package, and built alike.
      const program = fileURLToPath(new URL(`../bench/run${extname(import.meta.url)}`, import.meta.url));
      const { status, error } = spawnSync(process.execPath, [program, ...args], { stdio: 'inherit' });
      if (error) throw error;
      context.exitCode = status ?? EXIT.failed;
    });
}
