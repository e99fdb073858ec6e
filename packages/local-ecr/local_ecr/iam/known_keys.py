"""Names of the condition keys that AWS documents for every service, and for ECR; no request has any other of theirs.

Source: IAM user guide, "AWS global condition context keys"; service authorization reference, "Condition keys for Amazon
Elastic Container Registry". Three are in neither: SNS had aws:SourceOwner before aws:SourceAccount, and AWS's own
managed policies ask for aws:IsMcpServiceAction and aws:PrincipalOrgMasterAccountId.
"""

from __future__ import annotations

_NAMES = """
    aws:AssumedRoot aws:CalledVia aws:CalledViaAWSMCP aws:CalledViaFirst aws:CalledViaLast aws:ChatbotSourceArn
    aws:CurrentTime aws:Ec2InstanceSourcePrivateIPv4 aws:Ec2InstanceSourceVpc aws:EpochTime aws:FederatedProvider
    aws:IsMcpServiceAction aws:MultiFactorAuthAge aws:MultiFactorAuthPresent aws:PrincipalAccount aws:PrincipalArn
    aws:PrincipalIsAWSService aws:PrincipalOrgID aws:PrincipalOrgMasterAccountId aws:PrincipalOrgPaths
    aws:PrincipalServiceName aws:PrincipalServiceNamesList aws:PrincipalType aws:referer aws:RequestedRegion
    aws:ResourceAccount aws:ResourceOrgID aws:ResourceOrgPaths aws:SecureTransport aws:SignInSessionArn
    aws:SourceAccount aws:SourceArn aws:SourceIdentity aws:SourceIp aws:SourceOrgID aws:SourceOrgPaths aws:SourceOwner
    aws:SourceVpc aws:SourceVpcArn aws:SourceVpce aws:TagKeys aws:TokenIssueTime aws:UserAgent aws:userid aws:username
    aws:ViaAWSMCPService aws:ViaAWSService aws:VpceAccount aws:VpceOrgID aws:VpceOrgPaths aws:VpcSourceIp
    ecr:AccountSetting
"""

_KNOWN = frozenset(_NAMES.lower().split())
_OF_A_TAG = ("aws:principaltag/", "aws:requesttag/", "aws:resourcetag/", "ecr:resourcetag/")


def is_known(key: str) -> bool:
    """Whether there is such a key; those of other services are theirs to know."""
    folded = key.lower()
    return not folded.startswith(("aws:", "ecr:")) or folded in _KNOWN or folded.startswith(_OF_A_TAG)
