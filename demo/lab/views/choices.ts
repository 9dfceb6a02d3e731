import { digits } from '../../../bench/harness/report.ts';
import { peakGflops } from '../../../src/debug/peaks.ts';
import { element, find, setText } from '../../shared/dom.ts';
import { adapterName } from '../../shared/words.ts';
import type { LabApp } from '../app.ts';
import type { View } from '../state.ts';
import { CHOICES } from '../words.ts';

/** The op, its shape and its kernel, and the adapter that they run on. */
export function choicesView(app: LabApp): View {
  const select = (id: 'op' | 'shape' | 'kernel') => {
    const made = find<HTMLSelectElement>(id);
    made.addEventListener('change', () => app.choose({ [id]: made.value }));
    return made;
  };
  const [op, shape, kernel] = [select('op'), select('shape'), select('kernel')];
  const [ladder, adapter] = [find('ladder'), find('adapter')];
  const [software, peakText] = [find('software'), find('peaks')];
  return ({ device, workloads, address, peaks, work }) => {
    setText(adapter, adapterName(device ? device.info : device));
    software.hidden = device?.info.software !== true;
    setText(peakText, peaks ? CHOICES.peaks(digits(peakGflops(peaks)), digits(peaks.copyGbps)) : '');
    if (!address) return;
    const shapes = workloads.filter((one) => one.op === address.op);
    const { kernels } = shapes.find((one) => one.shape === address.shape)!;
    const ops = [...new Set(workloads.map((one) => one.op))].sort();
    const named = (name: string) => [name, name] as const;
    offer(op, ops.map(named), address.op);
    offer(
      shape,
      shapes.map((one) => [one.shape, CHOICES.shape(one.shape, one.kernels.length > 1)]),
      address.shape,
    );
    offer(kernel, kernels.map(named), address.kernel);
    ladder.hidden = kernels.length < 2;
    op.disabled = shape.disabled = kernel.disabled = work === 'bench' || work === 'loading';
  };
}

function offer(select: HTMLSelectElement, options: readonly (readonly [string, string])[], chosen: string): void {
  const texts = options.map(([, text]) => text);
  if ([...select.options].map(({ text }) => text).join() !== texts.join())
    select.replaceChildren(...options.map(([value, text]) => element('option', { value }, text)));
  select.value = chosen;
}
