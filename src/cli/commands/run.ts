import type { Command } from 'commander';
import { runNode } from '../setup/process.mjs';
import type { Act } from '../show/terminal.ts';

/** `padagrad run`: runs a program in the environment of the command line, which selects the adapter (see bin.ts). */
export function addRun(root: Command, act: Act): void {
  root
    .command('run')
    .description('run a program of your own with the adapter that doctor --setup has found')
    .argument('<file>', 'a program for Node')
    .argument('[args...]', 'its arguments')
    .passThroughOptions()
    .helpOption('-h, --help', 'print this help')
    .action((file: string, args: string[]) => act(() => runNode([file, ...args], {}))({}));
}
