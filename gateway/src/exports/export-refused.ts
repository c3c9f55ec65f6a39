/** An export that cannot be as it was asked for; the message says what to ask for instead. */
export class ExportRefused extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ExportRefused';
  }
}
