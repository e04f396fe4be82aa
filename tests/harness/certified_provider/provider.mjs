// A certified OpenID Connect provider for tests: node provider.mjs SITE PEOPLE, where SITE is Cadran's address and PEOPLE
// what is told of whom, as JSON. Any password lets them in. Prints its address once it answers.
import { generateKeyPairSync } from "node:crypto";
import { createServer } from "node:http";
import { Provider } from "oidc-provider";

const [site, people] = [process.argv[2], JSON.parse(process.argv[3])];
const key = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ format: "jwk" });

const server = createServer().listen(0, "127.0.0.1", () => {
  const address = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(address, {
    clients: [
      {
        client_id: "cadran",
        client_secret: "a secret of tests",
        redirect_uris: [`${site}/sign-in/provider/back`],
        post_logout_redirect_uris: [`${site}/sign-in`],
        backchannel_logout_uri: `${site}/sign-out/provider`,
        backchannel_logout_session_required: true,
      },
    ],
    findAccount: (_, id) => people[id] && { accountId: id, claims: () => ({ sub: id, ...people[id] }) },
    claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["locale"], groups: ["groups"] },
    features: { backchannelLogout: { enabled: true } },
    pkce: { required: () => true },
    jwks: { keys: [{ ...key, use: "sig", alg: "RS256" }] },
    cookies: { keys: ["of tests"] },
    fetch: (url, { dispatcher, ...options }) => globalThis.fetch(url, options), // its own dispatcher asks no loopback
  });
  provider.on("server_error", (_, error) => console.error(error));
  provider.on("backchannel.error", (_, error) => console.error(error));
  server.on("request", provider.callback());
  console.log(address);
});
