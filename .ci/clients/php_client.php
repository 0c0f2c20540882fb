<?php
// Reads answers with PHP's SoapClient, from the contract as it is shipped, and every date as strictly as clients do: `Y-m-dP`, and
// RFC 3339 with milliseconds. The last number on standard input is one that nobody has.

[, $version, $wsdl, $url] = $argv;
$identity = tempnam(sys_get_temp_dir(), 'identity');
file_put_contents($identity, file_get_contents(getenv('HOST_CERT')) . file_get_contents(getenv('HOST_KEY')));
register_shutdown_function(fn() => unlink($identity));
$tls = ['cafile' => getenv('HOST_CA'), 'local_cert' => $identity, 'verify_peer' => true];
$client = new SoapClient($wsdl, ['location' => $url, 'cache_wsdl' => WSDL_CACHE_NONE, 'exceptions' => true,
    'stream_context' => stream_context_create(['ssl' => $tls])]);
$services = ['4' => 'e6be2436-bf35-4df2-83fe-925142825dc2', '5' => '4925d7a0-1b5b-11ec-bdc6-b312b83236d4'];
$context = ['ServiceAgreementUUID' => getenv('HOST_AGREEMENT'), 'UserSystemUUID' => getenv('HOST_SYSTEM'),
    'UserUUID' => getenv('HOST_USER'), 'ServiceUUID' => $services[$version]];
$plain = ['startdato', 'slutdato', 'slettedato', 'relationStartdato', 'relationVaergeadresseStartdato', 'umyndiggoerelseSlettedato',
    'foraeldremyndighedSletdato', 'notatstartdato', 'notatslettedato'];

function read(string $text): void
{
    $format = str_contains($text, 'T') ? DateTimeInterface::RFC3339_EXTENDED : 'Y-m-dP';
    if (!DateTimeImmutable::createFromFormat($format, $text)) {
        throw new Exception('a date that is not ' . $format);
    }
}

function dates(mixed $value, array $plain): int
{
    $found = 0;
    foreach (is_object($value) ? get_object_vars($value) : (is_array($value) ? $value : []) as $name => $part) {
        if (is_string($part) && ($name === 'dato' || in_array($name, $plain, true))) {
            read($part);
            $found++;
        }
        $found += dates($part, $plain);
    }
    return $found;
}

$numbers = preg_split('/\s+/', trim(stream_get_contents(STDIN)));
$nobody = array_pop($numbers);
foreach ($numbers as $pnr) {
    try {
        $answer = $client->PersonLookup(['InvocationContext' => $context, 'PNR' => $pnr]);
        if ($answer->persondata->personnummer !== $pnr) {
            throw new Exception("another person's answer");
        }
        foreach ([$answer->persondata->adressebeskyttelse->beskyttet ?? null, $answer->persondata->tilmeldtDigitalpost ?? null,
            $answer->adresse->aktuelAdresse ?? null, $answer->relationer ?? null] as $number => $wanted) {
            if ($wanted === null) {
                throw new Exception("element $number of those always there is missing");
            }
        }
        if (dates($answer, $plain) === 0) {
            throw new Exception('no date');
        }
    } catch (Throwable $error) {
        echo get_class($error), ' ', $error->getMessage(), "\n";
    }
}
try {
    $client->PersonLookup(['InvocationContext' => $context, 'PNR' => $nobody]);
    echo "a number that nobody has is answered\n";
} catch (SoapFault $fault) {
    if (!str_contains($fault->getMessage(), 'PNR not found')) {
        echo "another fault than that of a number that nobody has\n";
    }
}
