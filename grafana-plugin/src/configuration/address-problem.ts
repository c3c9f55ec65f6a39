/** What is wrong with an address of the audit API, in words; undefined: nothing. */
export function addressProblem(text: string): string | undefined {
  if (text === '') return 'Give an address';
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return 'This is no address; write e.g. http://127.0.0.1:8081';
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return 'Begin with http:// or https://';
  if (url.username !== '' || url.password !== '') return 'Put no name and password into the address';
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '') return 'Leave out what follows host and port';
  return undefined;
}
