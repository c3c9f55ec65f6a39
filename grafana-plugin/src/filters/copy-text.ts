/** Puts text on the clipboard, also where the page is not served over HTTPS. @returns whether it worked */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // no permission, or no secure context: the old way needs a field with the text in it
    const field = document.createElement('textarea');
    field.value = text;
    field.style.position = 'fixed';
    document.body.append(field);
    field.select();
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- the only way without a secure context
    const copied = document.execCommand('copy');
    field.remove();
    return copied;
  }
}
