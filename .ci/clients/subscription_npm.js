// Starts as a client in production does, with npm's `soap`: all change codes are forgotten, then 18 are followed by calls at once.
// usage: NAME SOAP-MODULE WSDL URL 1.1|1.2 CODES
const fs = require('fs');
const [module_, wsdl, url, version, ...codes] = process.argv.slice(2);
const soap = require(module_);
const { HOST_CA, HOST_CERT, HOST_KEY, HOST_AGREEMENT, HOST_SYSTEM, HOST_USER } = process.env;
const context = {
    ServiceAgreementUUID: HOST_AGREEMENT, UserSystemUUID: HOST_SYSTEM, UserUUID: HOST_USER,
    ServiceUUID: '9cdccc2f-3243-11e2-8fef-d4bed98c5934',
};

(async () => {
    const client = await soap.createClientAsync(wsdl, { endpoint: url, forceSoap12Headers: version === '1.2' });
    const read = (path) => fs.readFileSync(path);
    client.setSecurity(new soap.ClientSSLSecurity(read(HOST_KEY), read(HOST_CERT), read(HOST_CA), {}));
    const ask = async (operation, parameter) =>
        (await client[`${operation}Async`]({ InvocationContext: context, ...parameter }))[0];
    await ask('RemoveAll', { FilterGroup: 'EventChangeCode' });
    const answers = await Promise.all(codes.map((code) => ask('AddChangeCodeSubscription', { ChangeCode: code })));
    answers.filter(({ Result }) => Result !== 'ADDED').forEach(({ Result }) => console.log(`a code is ${Result}, and not ADDED`));
    const { ChangeCode } = await ask('GetAllFilters', {});
    if ([].concat(ChangeCode).sort().join() !== [...codes].sort().join()) console.log('GetAllFilters tells other codes than were added');
})().catch((error) => console.log(`${error.name}: ${error.message.split('\n')[0]}`));
