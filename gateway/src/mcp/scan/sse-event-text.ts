/**
 * The texts of an upstream server's event stream, one an event: its data lines as one text, bounded. Line ends between
 * them become spaces, which in JSON is the same. Knows neither JSON-RPC nor what events mean.
 */
import { SseScanner } from './sse-scanner.ts';
import { LineFramer } from './stdio-framing.ts';

const SPACE = Buffer.from(' ');
const LF = 0x0a;

/**
 * @param onEvent takes each event that has data; it may keep the bytes
 * @returns takes the chunks of one stream; throws GatelensError `upstream_protocol` when a text is too long, and is of no
 * use after that
 */
export function eventText(
  maxTextBytes: number,
  onEvent: (name: string | undefined, text: Buffer) => void
): (chunk: Buffer) => void {
  const framer = new LineFramer({ maxLineBytes: maxTextBytes });
  const scanner = new SseScanner({
    data: (piece) => framer.push(piece.length === 1 && piece[0] === LF ? SPACE : piece, ignoreLine),
  });
  return (chunk) => {
    for (let at = 0; at < chunk.length;) {
      at = scanner.scan(chunk, at);
      const { event } = scanner;
      if (event === undefined || event.dataLines === 0) continue;
      framer.end((text) => onEvent(event.name, text));
    }
  };
}

/** A piece of data holds no line end, so no line is ever finished by one. */
function ignoreLine(): void {
  // see above
}
