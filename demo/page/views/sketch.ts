// The sheet that a visitor draws a digit on.
import { find } from '../../shared/dom.ts';
import { SIDE as IMAGE_SIDE } from '../protocol.ts';
import { digitOf } from '../raster.ts';
import { DRAWING } from '../words.ts';

const SIDE = 280;
const PEN = 22;
const STEP = 10;
const ARROWS: Record<string, [number, number]> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

/** A sheet to draw a digit on, with mouse, finger or keyboard. It calls `onDraw` with the image after every stroke. */
export class Sketch {
  private readonly paper = find('paper');
  private readonly canvas = find<HTMLCanvasElement>('sheet');
  private readonly pen = this.canvas.getContext('2d', { willReadFrequently: true })!;
  private readonly nib = find('nib');
  /** Position of the pen that the arrow keys move. */
  private at = { x: SIDE / 2, y: SIDE / 4 };
  private down = false;
  private reporting = false;

  constructor(private readonly onDraw: (pixels: Uint8Array | null) => void) {
    const { paper, canvas, pen } = this;
    canvas.width = canvas.height = SIDE;
    // Set here because the sheet does nothing without this script.
    paper.tabIndex = 0;
    paper.setAttribute('role', 'application');
    paper.setAttribute('aria-label', DRAWING.sheet);
    pen.lineCap = pen.lineJoin = 'round';
    canvas.addEventListener('pointerdown', (event) => {
      event.preventDefault();
      paper.focus();
      canvas.setPointerCapture(event.pointerId);
      this.at = this.placeOf(event);
      this.line(this.at);
    });
    canvas.addEventListener('pointermove', (event) => {
      if (!canvas.hasPointerCapture(event.pointerId)) return;
      for (const part of event.getCoalescedEvents?.() ?? [event]) this.line(this.placeOf(part));
    });
    paper.addEventListener('keydown', (event) => this.key(event));
    paper.addEventListener('blur', () => this.lift());
  }

  /** Shows an image, u8 [28, 28]. */
  show(pixels: Uint8Array): void {
    this.wipe();
    const size = SIDE / IMAGE_SIDE;
    for (const [i, byte] of pixels.entries()) {
      this.pen.globalAlpha = byte / 255;
      this.pen.fillRect((i % IMAGE_SIDE) * size, Math.floor(i / IMAGE_SIDE) * size, size, size);
    }
    this.pen.globalAlpha = 1;
    this.onDraw(pixels);
  }

  clear(): void {
    this.wipe();
    this.onDraw(null);
  }

  private wipe(): void {
    this.lift();
    this.pen.clearRect(0, 0, SIDE, SIDE);
  }

  private line(to: { x: number; y: number }): void {
    const { pen } = this;
    pen.lineWidth = PEN;
    pen.beginPath();
    pen.moveTo(this.at.x, this.at.y);
    pen.lineTo(to.x, to.y);
    pen.stroke();
    this.at = to;
    this.reportSoon();
  }

  /** Reports the drawing, at most once per frame. */
  private reportSoon(): void {
    if (this.reporting) return;
    this.reporting = true;
    requestAnimationFrame(() => {
      this.reporting = false;
      const { data } = this.pen.getImageData(0, 0, SIDE, SIDE);
      this.onDraw(
        digitOf(
          Uint8Array.from({ length: SIDE * SIDE }, (_, i) => data[4 * i + 3]!),
          SIDE,
        ),
      );
    });
  }

  private key(event: KeyboardEvent): void {
    const arrow = ARROWS[event.key];
    if (arrow) {
      const inside = (place: number) => Math.min(SIDE - PEN, Math.max(PEN, place));
      const to = { x: inside(this.at.x + arrow[0] * STEP), y: inside(this.at.y + arrow[1] * STEP) };
      if (this.down) this.line(to);
      this.at = to;
    } else if (event.key === ' ') {
      this.down = !this.down;
      if (this.down) this.line(this.at);
    } else if (event.key === 'Delete' || event.key === 'Backspace') this.clear();
    else return;
    event.preventDefault();
    this.nib.hidden = false;
    this.nib.classList.toggle('down', this.down);
    this.nib.style.setProperty('--x', String(this.at.x / SIDE));
    this.nib.style.setProperty('--y', String(this.at.y / SIDE));
  }

  private lift(): void {
    this.down = false;
    this.nib.hidden = true;
  }

  private placeOf({ clientX, clientY }: PointerEvent): { x: number; y: number } {
    const { left, top, width, height } = this.canvas.getBoundingClientRect();
    return { x: ((clientX - left) * SIDE) / width, y: ((clientY - top) * SIDE) / height };
  }
}
