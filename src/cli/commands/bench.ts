import { spawnSync } from 'node:child_process';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { EXIT } from '../errors.ts';
import type { Act } from '../show/terminal.ts';

/** `padagrad bench`: passes its arguments to the bench, which is a program of its own. */
export function addBench(root: Command, act: Act): void {
  root
    .command('bench')
    .description('benchmark the kernels')
    .argument('[args...]', 'options (see `bench --help`)')
    .helpOption(false)
    .allowUnknownOption()
    .action((args: string[]) =>
      act(async () => {
        // The build puts it next to the folder of the command line.
        const program = fileURLToPath(new URL(`../bench/run${extname(import.meta.url)}`, import.meta.url));
        const { status, error } = spawnSync(process.execPath, [program, ...args], { stdio: 'inherit' });
        if (error) throw error;
        return status ?? EXIT.failed;
      })({}),
    );
}
