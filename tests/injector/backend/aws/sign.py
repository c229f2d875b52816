"""Signs requests with botocore: JSON lines in, values of Authorization out. The time is set, not taken."""
import datetime
import json
import sys

import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials


moment = None
botocore.auth.get_current_datetime = lambda *_arguments, **_keywords: moment

for line in sys.stdin:
    case = json.loads(line)
    moment = datetime.datetime.strptime(case['time'], '%Y-%m-%dT%H:%M:%SZ')
    request = AWSRequest(method=case['method'], url=case['url'], data=case['body'].encode(),
                         headers=dict(case['headers']))
    credentials = Credentials(case['id'], case['key'], case['token'] or None)
    botocore.auth.SigV4Auth(credentials, case['service'], case['region']).add_auth(request)
    print(request.headers['Authorization'])
