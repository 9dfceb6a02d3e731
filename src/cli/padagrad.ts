import { EXIT } from './errors.ts';
import { main } from './program.ts';
import { realContext } from './realContext.ts';

// A reader that goes away (`padagrad ... | head`) ends the command, as it ends other programs.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) =>
    process.exit(error.code === 'EPIPE' ? EXIT.SIGPIPE : EXIT.failed),
  );
}

process.exitCode = await main(process.argv.slice(2), realContext());
