"""Where botocore would send a request of Secrets Manager and of STS: a line for each region, FIPS and dual stack."""
import botocore.session
from botocore.config import Config
from botocore.exceptions import EndpointVariantError


class Sent(Exception):
    """Stops a request before it leaves."""


def stop(request, **_keywords):
    raise Sent(request.url)


session = botocore.session.get_session()
session.set_credentials('id', 'key')
regions = [region for partition in session.get_available_partitions()
           for region in session.get_available_regions('secretsmanager', partition) if 'fips' not in region]
for region in regions:
    for fips in (False, True):
        for dual in (False, True):
            for service, operation in (('secretsmanager', 'get_random_password'), ('sts', 'get_caller_identity')):
                try:
                    client = session.create_client(service, region_name=region,
                                                   config=Config(use_fips_endpoint=fips, use_dualstack_endpoint=dual))
                    client.meta.events.register('before-send', stop)
                    getattr(client, operation)()
                except Sent as sent:
                    print(service, region, int(fips), int(dual), str(sent))
                except EndpointVariantError:
                    print(service, region, int(fips), int(dual), '-')
