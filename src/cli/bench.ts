import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import type { Context } from './context.ts';
import { EXIT, UsageError } from './errors.ts';

/** `padagrad bench`: passes everything on to the bench, which is a program of its own. */
export function addBench(root: Command, context: Context): void {
  root
    .command('bench')
    .description('measure the kernels')
    .argument('[args...]', 'what the bench is told')
    .helpOption(false)
    .allowUnknownOption()
    .action((args: string[]) => {
      const program = fileURLToPath(new URL('../bench/run.mjs', import.meta.url));
      if (!existsSync(program))
        throw new UsageError(
          `bench: ${program} is missing; run it from a clone of the repository, after \`node build.mjs programs\``,
        );
      const { status, error } = spawnSync(process.execPath, [program, ...args], { stdio: 'inherit' });
      if (error) throw error;
      context.exitCode = status ?? EXIT.failed;
    });
}
