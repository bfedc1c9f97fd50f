// Packages that have one half for browsers and one for Node say so in a way that only bundlers read: the former, please.
export async function resolve(specifier, context, next) {
  const found = await next(specifier, context)
  return { ...found, url: found.url.replace(/(tus-js-client\/lib[.\w]*)\/node\//, '$1/browser/') }
}
