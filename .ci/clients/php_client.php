<?php
// Reads answers with PHP's SoapClient, from the contract as it is shipped, and every date as strictly as clients do: `Y-m-dP`, and
// RFC 3339 with milliseconds.

[, $version, $wsdl, $url] = $argv;
$client = new SoapClient($wsdl, ['location' => $url, 'cache_wsdl' => WSDL_CACHE_NONE, 'exceptions' => true, 'keep_alive' => false]);
$none = '00000000-0000-0000-0000-000000000000';
$context = ['ServiceAgreementUUID' => $none, 'UserSystemUUID' => $none, 'UserUUID' => $none, 'ServiceUUID' => $none];
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

foreach (preg_split('/\s+/', trim(stream_get_contents(STDIN))) as $pnr) {
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
